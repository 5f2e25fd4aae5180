//! Bills and what they are for.

use serde_json::json;

use super::each;

#[tokio::test]
async fn null_pages_of_bills_are_empty_ones() {
    let history = each("credit-history-page", "get_credit_history", json!({}), "/billing/history").await;
    insta::assert_json_snapshot!(history, @r#"
    [
      {
        "pageIndex": 1,
        "recordsPerPage": 50,
        "totalCount": 3,
        "transactions": [
          {
            "amount": -12.375,
            "balance": 48250.376,
            "created": "2026-11-20T05:41:12.48Z",
            "id": 501,
            "message": "Run 88123",
            "transactionType": "Debit"
          },
          {
            "amount": 50000.0,
            "balance": 48262.751,
            "created": "2026-11-01T00:00:00Z",
            "expiresAt": "2027-11-01T00:00:00Z",
            "id": 500,
            "transactionType": "Credit"
          },
          {
            "amount": 0.001,
            "balance": 0.0,
            "created": "2026-10-01T00:00:00.1Z",
            "id": 499,
            "message": "",
            "transactionType": "Gift"
          }
        ]
      },
      {
        "pageIndex": 2,
        "recordsPerPage": 50,
        "totalCount": 3,
        "transactions": []
      },
      {
        "pageIndex": 1,
        "recordsPerPage": 100,
        "totalCount": 0,
        "transactions": []
      }
    ]
    "#);
    let usage = each("agents-usage-page", "get_agents_usage", json!({}), "/billing/agents").await;
    insta::assert_json_snapshot!(usage, @r#"
    [
      {
        "agents": [
          {
            "agentId": 7301,
            "agentName": "Shoe catalogue",
            "cost": 12.375,
            "spaceId": 42
          },
          {
            "agentId": 7312,
            "cost": 0.0
          }
        ],
        "endDate": "2026-11-21T23:59:59.9999999",
        "note": "2 of 12 shown so far. Call again with pageIndex 2 for more.",
        "startDate": "2026-11-01T00:00:00",
        "totalCost": 99.5,
        "totalRecordCount": 12
      },
      {
        "agents": [],
        "endDate": "2026-11-21T10:00:00",
        "startDate": "2026-11-01T00:00:00",
        "totalCost": 0.0,
        "totalRecordCount": 0
      }
    ]
    "#);
}

#[tokio::test]
async fn kinds_of_usage_that_are_new_or_nameless_are_shown() {
    let costs = each(
        "agent-cost-breakdown",
        "get_agent_cost_breakdown",
        json!({"agentId": 7301}),
        "/billing/agents/7301",
    );
    insta::assert_json_snapshot!(costs.await[0], @r#"
    {
      "agentId": 7301,
      "agentName": "Shoe catalogue",
      "endDate": "2026-11-20T23:59:59.9999999",
      "labels": [
        "2026-11-19",
        "2026-11-20"
      ],
      "startDate": "2026-11-19T00:00:00",
      "totalCost": 13.875,
      "usageTypes": [
        {
          "data": [
            6.125,
            6.25
          ],
          "totalCost": 12.375,
          "type": "RunUsage"
        },
        {
          "data": [],
          "totalCost": 0.0,
          "type": "ProxyUsage"
        },
        {
          "data": [
            0.0,
            1.0
          ],
          "totalCost": 1.0
        },
        {
          "data": [
            0.5,
            0.0
          ],
          "totalCost": 0.5,
          "type": "CaptchaUsage"
        }
      ]
    }
    "#);
}
