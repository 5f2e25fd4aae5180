//! Credits: the balance, its movements, and what agents and runs cost.

super::record! {
    /// The credits of an organisation.
    CreditsBalance {
        available_credits: f64,
        organization_id: i64,
        retrieved_at: String,
    }
}

super::record! {
    /// Credits spent in a window of time.
    SpendingSummary {
        total_spent: f64,
        start_date: String,
        end_date: String,
        organization_id: i64,
        current_balance: f64,
    }
}

super::record! {
    /// A credit movement.
    CreditTransaction {
        id: i64,
        /// Initial, Credit, Debit, Refund, Expiration, Adjustment or WriteOff.
        transaction_type: String,
        /// Negative when credits go out.
        amount: f64,
        /// After it.
        balance: f64,
        created: String,
        expires_at: String,
        message: String,
    }
}

super::record! {
    /// One page of credit movements.
    CreditHistoryPage {
        transactions: Vec<CreditTransaction>,
        total_count: i64,
        page_index: u32,
        records_per_page: u32,
    }
}

super::record! {
    /// An agent's cost.
    AgentUsage {
        agent_id: i64,
        agent_name: String,
        cost: f64,
        /// Absent: personal area.
        space_id: i64,
    }
}

super::record! {
    /// One page of agents with their costs.
    AgentsUsagePage {
        agents: Vec<AgentUsage>,
        total_record_count: i64,
        total_cost: f64,
        start_date: String,
        end_date: String,
    }
}

super::record! {
    /// Cost of one kind of usage.
    UsageTypeSeries {
        /// RunUsage, ExportDataBandwidth, ExportDataCpm, InputCount, ProxyUsage or AgentBuilder.
        r#type: String,
        /// One per label; empty without cost.
        data: Vec<f64>,
        total_cost: f64,
    }
}

super::record! {
    /// An agent's cost over time.
    AgentCostBreakdown {
        agent_id: i64,
        agent_name: String,
        /// The days or months.
        labels: Vec<String>,
        usage_types: Vec<UsageTypeSeries>,
        total_cost: f64,
        start_date: String,
        end_date: String,
    }
}

super::record! {
    /// A run's cost.
    AgentRunCost {
        run_id: i64,
        /// Billing day.
        date: String,
        start_time: String,
        end_time: String,
        cost: f64,
        billing_type: String,
    }
}

super::record! {
    /// One page of an agent's runs with their costs.
    AgentRunsCostPage {
        runs: Vec<AgentRunCost>,
        total_record_count: i64,
        /// Of this page only.
        total_cost: f64,
        agent_id: i64,
        agent_name: String,
    }
}
