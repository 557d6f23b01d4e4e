//! What the system says of this process. Nothing here needs `/proc/stat`: systemd's `ProcSubset=pid` hides that.
#![expect(clippy::disallowed_methods, reason = "/proc is no file of the configuration")]

use prometheus::{Counter, Registry};

/// The one counter that is not counted here.
pub(super) const CPU: &str = "process_cpu_seconds_total";
/// The kernel tells times to programs in hundredths of a second, whatever it counts in (`USER_HZ`).
const TICKS: f64 = 100.0;

/// A counter that is set to what the system says.
#[derive(Debug, Clone)]
struct Cpu(Counter);

pub(super) fn register_cpu(registry: &Registry, name: &str, help: &str) {
    if let Ok(counter) = Counter::new(name, help) {
        // It is registered once.
        registry.register(Box::new(Cpu(counter))).unwrap_or_default();
    }
}

impl prometheus::core::Collector for Cpu {
    fn desc(&self) -> Vec<&prometheus::core::Desc> {
        self.0.desc()
    }

    fn collect(&self) -> Vec<prometheus::proto::MetricFamily> {
        if let Some(seconds) = cpu_seconds() {
            self.0.inc_by((seconds - self.0.get()).max(0.0));
        }
        self.0.collect()
    }
}

/// User and system time: fields 14 and 15 of `/proc/self/stat` (proc(5)), counted after the name of the program, which
/// may have spaces in it.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}

/// Memory and descriptors.
pub(super) fn gauges(set: impl Fn(&str, f64)) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
    let kibibytes =
        resident.and_then(|it| it.trim().trim_end_matches(" kB").trim().parse::<f64>().ok());
    if let Some(it) = kibibytes {
        set("process_resident_memory_bytes", it * 1024.0);
    }
    if let Ok(entries) = std::fs::read_dir("/proc/self/fd") {
        // One of them is the listing itself.
        let n = u32::try_from(entries.count().saturating_sub(1)).unwrap_or(u32::MAX);
        set("process_open_fds", f64::from(n));
    }
}
