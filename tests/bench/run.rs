//! One run: starts the processes, opens the series, drives them by turns.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::Client;
use sequentum_mcp::outbound;
use url::Url;

use crate::{
    calls::{self, Call},
    drive::{CONNECTIONS, Series},
    process::{Outcome, Process, because, listen, memory},
    product::{Product, Started},
    report::{self, Figures},
};

/// Time between two calls of a connection of an idle machine.
const IDLE_PERIOD: Duration = Duration::from_millis(32);

/// What the command line asks for.
pub(crate) struct Options {
    /// How much is measured.
    pub(crate) plan: Plan,
    /// The binary under test.
    pub(crate) server: PathBuf,
    /// Where the fake platform listens; 0 takes any free port.
    pub(crate) platform_port: u16,
    /// Whom to compare with.
    pub(crate) other: Option<Other>,
}

/// Another implementation, already running.
pub(crate) struct Other {
    /// Its MCP endpoint.
    pub(crate) endpoint: Url,
    /// What it accepts as an access token.
    pub(crate) token: String,
    /// Its process, if it is on this machine.
    pub(crate) pid: Option<u32>,
}

/// How much is measured.
pub(crate) struct Plan {
    /// Whether this only shows that everything works.
    pub(crate) quick: bool,
    /// Rounds by turns.
    pub(crate) rounds: u32,
    /// CPU time of a saturated round of a call that is compared.
    cpu: Duration,
    /// CPU time of a saturated round of any other.
    minor_cpu: Duration,
    /// Longest saturated round.
    wall: Duration,
    /// A warm-up or paced round.
    short: Duration,
    /// How often the server is started.
    starts: u32,
}

impl Plan {
    /// The quick plan or the full one.
    pub(crate) fn new(quick: bool) -> Self {
        if quick {
            let half = Duration::from_millis(500);
            return Self { quick, rounds: 1, cpu: half, minor_cpu: half, wall: half, short: half, starts: 1 };
        }
        let seconds = Duration::from_secs;
        Self {
            quick,
            rounds: 5,
            // CPU time comes in ticks of 10 ms: three seconds of it are known to a third of a percent.
            cpu: seconds(3),
            minor_cpu: seconds(1),
            wall: seconds(20),
            short: seconds(2),
            starts: 9,
        }
    }
}

/// Calls per second of a paced round.
pub(crate) fn idle_rate() -> u128 {
    u128::from(CONNECTIONS) * 1000 / IDLE_PERIOD.as_millis()
}

/// Everything that runs besides the driver.
struct Stage {
    client: Client,
    platform: (Process, Url),
    pass_through: (Process, Url),
    server: Started,
    /// The server's MCP endpoint.
    endpoint: Url,
    /// The token for it.
    token: String,
    /// How long each start of the server took.
    starts: Vec<Duration>,
}

/// Runs everything and returns the report.
pub(crate) async fn benchmark(options: Options) -> Outcome<String> {
    let Options { plan, server, platform_port, other } = options;
    // Free at this moment; that nobody else takes it before the server does is likely enough for a benchmark.
    let port = listen(0).await?.local_addr().map_err(because("no address"))?.port();
    let product = Product::new(server, port, Path::new(env!("CARGO_TARGET_TMPDIR")));
    let stage = set_up(&product, platform_port, &plan).await?;
    let figures = async {
        let mut figures = open(&stage, &plan, other, product.size()?).await?;
        measure(&mut figures, &stage.client, &plan, &product).await?;
        figures.memory.1 = memory(stage.server.process.pid())?;
        Ok::<_, String>(figures)
    };
    let figures = figures.await.map_err(|problem| product.fault(&problem))?;
    Ok(report::markdown(&figures, &plan))
}

async fn set_up(product: &Product, platform_port: u16, plan: &Plan) -> Outcome<Stage> {
    let endpoint = loopback(product.port(), "mcp")?;
    let (platform, ready) = Process::helper(&[
        "--role=platform",
        &format!("--platform-port={platform_port}"),
        &format!("--audience={endpoint}"),
    ])?;
    let platform_url = loopback(ready.port, "")?;
    let token = ready.token.ok_or("the platform gave no token")?;
    let (pass_through, ready) =
        Process::helper(&["--role=pass-through", &format!("--platform={platform_url}")])?;
    let pass_through_url = loopback(ready.port, "mcp")?;
    let client = outbound::client(&endpoint).map_err(because("no HTTP client"))?;
    let mut server = product.start(&client, &platform_url).await?;
    let mut starts = vec![server.time];
    for _ in 1..plan.starts {
        // The old process first: both listen on the same port.
        drop(server);
        server = product.start(&client, &platform_url).await?;
        starts.push(server.time);
    }
    Ok(Stage {
        client,
        platform: (platform, platform_url),
        pass_through: (pass_through, pass_through_url),
        server,
        endpoint,
        token,
        starts,
    })
}

/// Checks the first answer of every kind of call.
async fn open(stage: &Stage, plan: &Plan, other: Option<Other>, binary: u64) -> Outcome<Figures> {
    let Stage { client, endpoint, token, server, .. } = stage;
    let pid = Some(server.process.pid());
    let series = async |call: Call, pid, cpu| Series::open(client, call, pid, cpu).await;
    let platform = calls::direct(&stage.platform.1, token)?;
    let pass_through = calls::pass_through(&stage.pass_through.1, token)?;
    let legacy = calls::get_agent("get_agent, 2025-06-18", endpoint, token)?;
    Ok(Figures {
        platform: series(platform, Some(stage.platform.0.pid()), plan.minor_cpu).await?,
        pass_through: series(pass_through, Some(stage.pass_through.0.pid()), plan.cpu).await?,
        legacy: series(legacy, pid, plan.cpu).await?,
        modern: series(calls::get_agent_modern(endpoint, token)?, pid, plan.cpu).await?,
        list: series(calls::tools_list(endpoint, token)?, pid, plan.minor_cpu).await?,
        ping: series(calls::ping(endpoint, token)?, pid, plan.minor_cpu).await?,
        other: match other {
            Some(Other { endpoint, token, pid }) => {
                Some(series(calls::get_agent_elsewhere(&endpoint, &token)?, pid, plan.cpu).await?)
            }
            None => None,
        },
        starts: stage.starts.clone(),
        memory: (server.memory, server.memory),
        binary,
    })
}

/// All rounds, by turns.
async fn measure(figures: &mut Figures, client: &Client, plan: &Plan, product: &Product) -> Outcome<()> {
    for series in figures.series() {
        series.warm_up(client, plan.short).await?;
    }
    for number in 1..=plan.rounds {
        eprintln!("round {number} of {}", plan.rounds);
        for series in figures.series_mut() {
            series.saturate(client, plan.wall).await?;
            product.forget_log()?;
        }
        let compared = [&mut figures.platform, &mut figures.pass_through, &mut figures.legacy];
        for series in compared.into_iter().chain(&mut figures.other) {
            series.pace(client, IDLE_PERIOD, plan.short).await?;
        }
    }
    Ok(())
}

fn loopback(port: u16, path: &str) -> Outcome<Url> {
    format!("http://127.0.0.1:{port}/{path}").parse().map_err(because("address"))
}
