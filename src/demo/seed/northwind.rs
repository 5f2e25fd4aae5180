//! Northwind Retail: a shop that watches its competitors.

use super::{AGENT, AgentSeed, DAY, HOUR, SpaceSeed, TenantSeed};
use crate::demo::{
    Login,
    world::{
        Behaviour,
        dataset::{Column, Dataset},
    },
};

const RETAIL: i32 = 42;
const LOGISTICS: i32 = 43;
const MARKETING: i32 = 44;

pub(super) fn tenant(login: Login) -> TenantSeed {
    TenantSeed {
        login,
        organization_id: 3,
        user_id: 15,
        credits: 48_250,
        first_agent_id: 7301,
        first_run_id: 88_123,
        spaces: SPACES,
        agents: AGENTS,
    }
}

const SPACES: &[SpaceSeed] = &[
    SpaceSeed {
        id: RETAIL,
        name: "Retail",
        is_default_access: true,
        scope: "Public",
        run_retention_hours: None,
        access: &["Everyone"],
    },
    SpaceSeed {
        id: LOGISTICS,
        name: "Logistics",
        is_default_access: false,
        scope: "Private",
        run_retention_hours: Some(720),
        access: &["Admins", "Supply chain"],
    },
    SpaceSeed {
        id: MARKETING,
        name: "Marketing",
        is_default_access: false,
        scope: "Private",
        run_retention_hours: Some(168),
        access: &["Admins"],
    },
];

const SHOES: Dataset = Dataset {
    columns: &[
        ("sku", Column::Code("SH-")),
        (
            "name",
            Column::Text(&[
                "Trail Runner 2",
                "Harbour Deck Shoe, navy",
                "6\" Work Boot",
                "City Sneaker Low",
                "Alpine Hiker GTX",
                "Canvas Slip-on",
            ]),
        ),
        ("brand", Column::Text(&["Fjordline", "Stride & Co", "Marlow", "Kestrel"])),
        ("price", Column::Price(2_499, 18_999)),
        ("currency", Column::Text(&["EUR"])),
        ("inStock", Column::Flag),
        ("url", Column::Link("https://shop.example.net/shoes/")),
    ],
};

const ELECTRONICS: Dataset = Dataset {
    columns: &[
        ("productId", Column::Code("EL-")),
        (
            "title",
            Column::Text(&[
                "Noise-cancelling headphones",
                "Monitor 27\", 4K",
                "Mechanical keyboard, ISO",
                "USB-C dock 11-in-1",
                "Portable SSD 2 TB",
            ]),
        ),
        ("price", Column::Price(1_999, 89_900)),
        ("listPrice", Column::Price(2_499, 99_900)),
        ("currency", Column::Text(&["USD"])),
        ("rating", Column::Price(290, 500)),
        ("reviews", Column::Count(0, 4_200)),
        ("url", Column::Link("https://electronics.example.com/p/")),
    ],
};

const REVIEWS: Dataset = Dataset {
    columns: &[
        ("reviewId", Column::Code("R")),
        ("product", Column::Text(&["Trail Runner 2", "Alpine Hiker GTX", "City Sneaker Low"])),
        ("stars", Column::Count(1, 5)),
        (
            "text",
            Column::Text(&[
                "Fits well, arrived in two days.",
                "Sole came off after a month, \"premium\" indeed.",
                "Good value, narrow toe box.",
                "Exactly as described.",
            ]),
        ),
        ("verified", Column::Flag),
    ],
};

const TARIFFS: Dataset = Dataset {
    columns: &[
        ("carrier", Column::Text(&["Nordfreight", "BlueVan", "Parcelway", "Swift & Sons"])),
        ("zone", Column::Text(&["DE", "FR", "SE", "PL", "IT", "ES"])),
        ("weightKg", Column::Count(1, 30)),
        ("price", Column::Price(390, 4_900)),
        ("currency", Column::Text(&["EUR"])),
    ],
};

const STORES: Dataset = Dataset {
    columns: &[
        ("storeId", Column::Code("ST")),
        ("city", Column::Text(&["Lyon", "Malmö", "Köln", "Gdańsk", "Torino", "Porto"])),
        ("opens", Column::Text(&["08:00", "09:00", "10:00"])),
        ("closes", Column::Text(&["18:00", "20:00", "21:30"])),
        ("clickAndCollect", Column::Flag),
    ],
};

const PROMOTIONS: Dataset = Dataset {
    columns: &[
        ("campaign", Column::Code("PROMO-")),
        (
            "headline",
            Column::Text(&["Summer sale, up to 40%", "Two for one", "Free returns", "Members' week"]),
        ),
        ("discountPercent", Column::Count(5, 40)),
        ("url", Column::Link("https://deals.example.org/c/")),
    ],
};

const AGENTS: &[AgentSeed] = &[
    AgentSeed {
        name: "Shoe catalogue",
        description: Some("Daily shoe prices of shop.example.net"),
        documentation: Some("Reads every category page, then each product page. Respects the crawl delay."),
        start_url: "https://shop.example.net/shoes",
        space: Some(RETAIL),
        inputs: &[("startPage", "https://shop.example.net/shoes"), ("maxPages", "50")],
        dataset: &SHOES,
        rows: 240,
        version: 6,
        has_success_criteria: true,
        labels: &[(2, "retail"), (5, "prices")],
        history: 64,
        every: DAY,
        newest: 5 * HOUR,
        ..AGENT
    },
    AgentSeed {
        name: "Electronics price watch",
        description: Some("Prices and ratings of competing electronics shops"),
        start_url: "https://electronics.example.com/all",
        space: Some(RETAIL),
        inputs: &[("category", "audio"), ("country", "US")],
        dataset: &ELECTRONICS,
        rows: 480,
        version: 12,
        has_success_criteria: true,
        labels: &[(5, "prices")],
        history: 30,
        every: 12 * HOUR,
        newest: 2 * HOUR,
        ..AGENT
    },
    AgentSeed {
        name: "Product reviews",
        description: Some("Customer reviews of our own products on marketplaces"),
        start_url: "https://reviews.example.com/brand/northwind",
        space: Some(MARKETING),
        inputs: &[("since", "2026-01-01")],
        dataset: &REVIEWS,
        rows: 150,
        version: 3,
        labels: &[(7, "reviews")],
        history: 14,
        every: 2 * DAY,
        newest: 9 * HOUR,
        ..AGENT
    },
    AgentSeed {
        name: "Carrier tariffs",
        description: Some("Parcel prices by zone and weight; answers CSV when run synchronously"),
        start_url: "https://tariffs.example.org/parcels",
        space: Some(LOGISTICS),
        dataset: &TARIFFS,
        behaviour: Behaviour::AnswersCsv,
        rows: 96,
        version: 4,
        history: 8,
        every: 7 * DAY,
        newest: 26 * HOUR,
        ..AGENT
    },
    AgentSeed {
        name: "Marketplace sellers",
        description: Some("Sellers and offers of a marketplace that changed its layout lately"),
        start_url: "https://market.example.com/sellers",
        space: Some(RETAIL),
        inputs: &[("country", "DE")],
        dataset: &ELECTRONICS,
        behaviour: Behaviour::FailsHalfWay(
            "Element 'div.seller-card' was not found on page 4 after 30 seconds: the page layout may have changed",
        ),
        rows: 160,
        version: 9,
        has_success_criteria: true,
        labels: &[(2, "retail")],
        history: 11,
        every: DAY,
        newest: 7 * HOUR,
        ..AGENT
    },
    AgentSeed {
        name: "Container schedule archive",
        description: Some("Ten years of sailings; waits for a large worker"),
        start_url: "https://sailings.example.org/archive",
        space: Some(LOGISTICS),
        dataset: &TARIFFS,
        behaviour: Behaviour::QueuesLong,
        rows: 900,
        version: 2,
        history: 4,
        every: 3 * DAY,
        // Its newest run is still waiting when the world begins.
        newest: 45,
        ..AGENT
    },
    AgentSeed {
        name: "Store opening hours",
        description: Some("Opening hours of all stores of three chains"),
        start_url: "https://stores.example.net/finder",
        space: Some(RETAIL),
        dataset: &STORES,
        rows: 72,
        version: 5,
        history: 20,
        every: 7 * DAY,
        newest: 30 * HOUR,
        ..AGENT
    },
    AgentSeed {
        name: "Promotion banners",
        description: Some("Campaigns on competitors' home pages"),
        start_url: "https://deals.example.org/",
        space: Some(MARKETING),
        dataset: &PROMOTIONS,
        rows: 24,
        version: 7,
        has_success_criteria: true,
        labels: &[(9, "campaigns")],
        history: 40,
        every: 6 * HOUR,
        newest: HOUR,
        ..AGENT
    },
    AgentSeed {
        name: "Black Friday tracker",
        description: Some("Switched off outside the season"),
        start_url: "https://deals.example.org/black-friday",
        space: Some(MARKETING),
        dataset: &PROMOTIONS,
        rows: 60,
        version: 2,
        is_active: false,
        history: 4,
        every: DAY,
        newest: 40 * DAY,
        ..AGENT
    },
    AgentSeed {
        name: "Warehouse rents",
        description: Some("New: offers of storage space near ports"),
        start_url: "https://rents.example.com/warehouses",
        space: Some(LOGISTICS),
        inputs: &[("port", "Rotterdam"), ("maxRent", "12000")],
        dataset: &TARIFFS,
        rows: 48,
        history: 0,
        ..AGENT
    },
    AgentSeed {
        name: "Shoe catalogue (2024 layout)",
        description: Some("Replaced by Shoe catalogue"),
        start_url: "https://old.shop.example.net/shoes",
        space: Some(RETAIL),
        dataset: &SHOES,
        rows: 200,
        version: 31,
        is_archived: true,
        history: 3,
        every: DAY,
        newest: 60 * DAY,
        ..AGENT
    },
    AgentSeed {
        name: "Alice's sandbox",
        description: None,
        start_url: "https://sandbox.example.org/",
        space: None,
        inputs: &[("query", "boots")],
        dataset: &SHOES,
        rows: 12,
        history: 6,
        every: 3 * HOUR,
        newest: 20 * HOUR,
        ..AGENT
    },
];
