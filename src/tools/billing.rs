//! Credits: the balance, its movements, and what agents and runs cost.

mod get_agent_cost_breakdown;
mod get_agent_runs_cost;
mod get_agents_usage;
mod get_credit_history;
mod get_credits_balance;
mod get_spending_summary;
mod page;

pub use get_agent_cost_breakdown::GetAgentCostBreakdown;
pub use get_agent_runs_cost::GetAgentRunsCost;
pub use get_agents_usage::GetAgentsUsage;
pub use get_credit_history::GetCreditHistory;
pub use get_credits_balance::GetCreditsBalance;
pub use get_spending_summary::GetSpendingSummary;
