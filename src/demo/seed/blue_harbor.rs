//! Blue Harbor Research: analysts who collect public figures.

use super::{AGENT, AgentSeed, DAY, HOUR, SpaceSeed, TenantSeed};
use crate::demo::{
    Login,
    world::{
        Behaviour,
        dataset::{Column, Dataset},
    },
};

const ENERGY: i32 = 61;
const LABOUR: i32 = 62;

pub(super) fn tenant(login: Login) -> TenantSeed {
    TenantSeed {
        login,
        organization_id: 8,
        user_id: 27,
        credits: 1_900,
        first_agent_id: 9101,
        first_run_id: 510_021,
        spaces: SPACES,
        agents: AGENTS,
    }
}

const SPACES: &[SpaceSeed] = &[
    SpaceSeed {
        id: ENERGY,
        name: "Energy",
        is_default_access: true,
        scope: "Public",
        run_retention_hours: None,
        access: &[],
    },
    SpaceSeed {
        id: LABOUR,
        name: "Labour market",
        is_default_access: false,
        scope: "Private",
        run_retention_hours: Some(2_160),
        access: &["Analysts"],
    },
];

const POWER: Dataset = Dataset {
    columns: &[
        ("slot", Column::Code("H")),
        ("zone", Column::Text(&["SE1", "SE2", "SE3", "SE4", "DK1", "NO2"])),
        ("pricePerMwh", Column::Price(150, 24_000)),
        ("currency", Column::Text(&["EUR"])),
        ("volumeMwh", Column::Count(40, 3_800)),
    ],
};

const JOBS: Dataset = Dataset {
    columns: &[
        ("vacancyId", Column::Code("J")),
        (
            "title",
            Column::Text(&["Welder", "Nurse, night shift", "Data engineer", "Crane operator", "Teacher"]),
        ),
        ("employer", Column::Text(&["Havn Yard AS", "Region Öst", "Lumen \"Labs\" Ltd", "Port of Varde"])),
        ("location", Column::Text(&["Göteborg", "Bergen", "Aarhus", "Turku"])),
        ("salary", Column::Price(2_100_000, 6_800_000)),
        ("remote", Column::Flag),
        ("url", Column::Link("https://jobs.example.org/v/")),
    ],
};

const AGENTS: &[AgentSeed] = &[
    AgentSeed {
        name: "Day-ahead power prices",
        description: Some("Hourly prices of the Nordic bidding zones"),
        start_url: "https://power.example.com/day-ahead",
        space: Some(ENERGY),
        inputs: &[("date", "today"), ("zones", "SE1,SE2,SE3,SE4")],
        dataset: &POWER,
        rows: 144,
        version: 8,
        has_success_criteria: true,
        labels: &[(21, "daily")],
        history: 45,
        every: DAY,
        newest: 4 * HOUR,
        ..AGENT
    },
    AgentSeed {
        name: "Fuel stations",
        description: Some("Pump prices along the E6"),
        start_url: "https://fuel.example.net/e6",
        space: Some(ENERGY),
        dataset: &POWER,
        rows: 80,
        version: 3,
        history: 12,
        every: 12 * HOUR,
        newest: 6 * HOUR,
        ..AGENT
    },
    AgentSeed {
        name: "Vacancies",
        description: Some("Public job advertisements by region"),
        start_url: "https://jobs.example.org/search",
        space: Some(LABOUR),
        inputs: &[("region", "Västra Götaland")],
        dataset: &JOBS,
        rows: 320,
        version: 15,
        has_success_criteria: true,
        history: 24,
        every: DAY,
        newest: 11 * HOUR,
        ..AGENT
    },
    AgentSeed {
        name: "Layoff notices",
        description: Some("Register of notices; the site asks for a captcha every now and then"),
        start_url: "https://register.example.com/notices",
        space: Some(LABOUR),
        dataset: &JOBS,
        behaviour: Behaviour::FailsHalfWay("Captcha was not solved after 3 attempts"),
        rows: 60,
        version: 2,
        history: 9,
        every: 2 * DAY,
        newest: 15 * HOUR,
        ..AGENT
    },
    AgentSeed {
        name: "Wind farm permits",
        description: Some("New applications at the permit authority; not run yet"),
        start_url: "https://permits.example.org/wind",
        space: Some(ENERGY),
        dataset: &POWER,
        rows: 30,
        history: 0,
        ..AGENT
    },
    AgentSeed {
        name: "Bob's scratchpad",
        description: Some("Private experiments"),
        start_url: "https://scratch.example.com/",
        space: None,
        dataset: &JOBS,
        rows: 10,
        history: 3,
        every: DAY,
        newest: 2 * DAY,
        ..AGENT
    },
];
