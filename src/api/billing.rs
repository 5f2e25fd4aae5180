//! Credits: the balance, its movements, and what agents and runs cost.

use super::{
    ApiError, Session, SortOrder, Window,
    ids::AgentId,
    model::{
        AgentCostBreakdown, AgentRunsCostPage, AgentsUsagePage, CreditHistoryPage, CreditsBalance,
        SpendingSummary,
    },
    network::Call,
};

/// Which page of a list of costs. Unset members are left to the platform.
#[derive(Debug, Clone, Default)]
pub struct CostPage {
    /// Page number, from 1 on.
    pub index: Option<u32>,
    /// Rows per page.
    pub size: Option<u32>,
    /// Column to sort by, as the operation calls it.
    pub sort_column: Option<&'static str>,
    /// Sort direction.
    pub sort_order: Option<SortOrder>,
    /// Labels of kinds of usage, separated by commas.
    pub usage_types: Option<String>,
}

impl CostPage {
    fn on(&self, call: Call) -> Call {
        call.query("pageIndex", self.index)
            .query("recordsPerPage", self.size)
            .query("sortColumn", self.sort_column)
            .query("sortOrder", self.sort_order.map(SortOrder::code))
            .query("usageTypes", self.usage_types.as_deref())
    }
}

impl Session<'_> {
    /// `getCreditsBalance`: the credits at this moment.
    pub async fn credits_balance(&self) -> Result<CreditsBalance, ApiError> {
        self.fetch(Call::get("getCreditsBalance", "/api/v1/billing/credits".to_owned())).await
    }

    /// `getSpendingSummary`: credits spent; without dates, in the current period.
    pub async fn spending(&self, window: Window) -> Result<SpendingSummary, ApiError> {
        let call = Call::get("getSpendingSummary", "/api/v1/billing/spending".to_owned());
        self.fetch(call.window(window)).await
    }

    /// `getCreditHistory`: one page of credit movements.
    pub async fn credit_history(
        &self,
        page: Option<u32>,
        size: Option<u32>,
    ) -> Result<CreditHistoryPage, ApiError> {
        let call = Call::get("getCreditHistory", "/api/v1/billing/history".to_owned())
            .query("pageIndex", page)
            .query("recordsPerPage", size);
        self.fetch(call).await
    }

    /// `listAgentsUsage`: one page of agents with their costs. The platform wants both ends of the window.
    pub async fn agents_usage(
        &self,
        window: Window,
        page: &CostPage,
        name: Option<&str>,
    ) -> Result<AgentsUsagePage, ApiError> {
        let call = Call::get("listAgentsUsage", "/api/v1/billing/agents".to_owned()).window(window);
        self.fetch(page.on(call).query("name", name)).await
    }

    /// `getAgentCostBreakdown`: one agent's cost over time. The platform wants both ends of the window.
    pub async fn cost_breakdown(
        &self,
        agent: AgentId,
        window: Window,
        time_unit: Option<&'static str>,
        usage_types: Option<&str>,
    ) -> Result<AgentCostBreakdown, ApiError> {
        let call = Call::get("getAgentCostBreakdown", format!("/api/v1/billing/agents/{agent}"))
            .window(window)
            .query("timeUnit", time_unit)
            .query("usageTypes", usage_types);
        self.fetch(call).await
    }

    /// `listAgentRunCosts`: one page of an agent's runs with their costs. The platform wants both ends of the window.
    pub async fn run_costs(
        &self,
        agent: AgentId,
        window: Window,
        page: &CostPage,
    ) -> Result<AgentRunsCostPage, ApiError> {
        let call = Call::get("listAgentRunCosts", format!("/api/v1/billing/agents/{agent}/runs"));
        self.fetch(page.on(call.window(window))).await
    }
}
