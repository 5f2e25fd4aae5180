//! The reference page, made from the table of metrics.

use std::fmt::Write as _;

use super::table::{self, Kind};

/// `docs/operate/metrics.md`, complete.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Metrics\n\n<!-- Printed by `sequentum-mcp catalog metrics`. Do not edit: change src/metrics/table.rs. -->\n\n\
With `METRICS_ADDR` set, `GET /metrics` on that address answers in the OpenMetrics text format, which Prometheus reads. \
There is no sign-in: keep the address inside your network. Values of labels are words of this program: a client cannot \
add one, and none names a tenant, a user, an argument or an address. Durations have buckets up to ",
    );
    let bounds = table::ALL.iter().find_map(|metric| match metric.kind {
        Kind::Durations(bounds) => Some(bounds),
        _ => None,
    });
    let bounds: Vec<_> = bounds.unwrap_or_default().iter().map(ToString::to_string).collect();
    // Writing to a String cannot fail.
    let _ = writeln!(page, "{} seconds.\n", bounds.join(", "));
    page.push_str("| Metric | Kind | Labels | Meaning |\n| --- | --- | --- | --- |\n");
    for metric in table::ALL {
        let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            metric.name,
            metric.kind.as_str(),
            labels.join(", "),
            metric.help
        );
    }
    page
}
