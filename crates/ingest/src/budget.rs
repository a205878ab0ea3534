//! The memory that one run may use, and sizes as people write them.

use std::{fmt, fs, str::FromStr, sync::OnceLock};

use parallax_base::Name;

use crate::IngestError;

/// A number of bytes, written as `2GB`, `500MB`, `1GiB` or in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemorySize(pub u64);

/// How much memory data may take, and whether the user said so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    bytes: u64,
    said: bool,
}

/// What is assumed where the system does not say how much there is.
const UNKNOWN: u64 = 8_000_000_000;

/// Values held of a column: 8 bytes a row.
const VALUE: u64 = 8;

impl Budget {
    /// The user's word, or three quarters of what the process may use.
    pub(crate) fn new(said: Option<MemorySize>) -> Budget {
        match said {
            Some(it) => Budget { bytes: it.0, said: true },
            None => Budget { bytes: usable() / 4 * 3, said: false },
        }
    }

    /// True when the user named the amount.
    pub(crate) fn said(self) -> bool {
        self.said
    }

    /// Refuses what takes more.
    pub(crate) fn require(self, bytes: u64, file: &Name, what: &str) -> Result<(), IngestError> {
        if bytes <= self.bytes {
            return Ok(());
        }
        let (need, limit) = (MemorySize(bytes), MemorySize(self.bytes));
        let why =
            if self.said { "which --memory allows" } else { "three quarters of what this process may use" };
        let problem = format!(
            "{what} would take {need} of memory or more, and the limit is {limit}, {why}; read fewer columns or a part of \
             the file, or raise the limit with --memory SIZE, for example --memory {}",
            MemorySize(bytes.saturating_add(bytes / 2))
        );
        Err(IngestError::Memory { file: file.clone(), problem })
    }

    /// Refuses a table of so many rows and columns beside what is held already.
    pub(crate) fn require_table(
        self,
        (rows, columns): (u64, usize),
        held: u64,
        file: &Name,
    ) -> Result<(), IngestError> {
        let bytes = rows.saturating_mul(columns as u64).saturating_mul(VALUE).saturating_add(held);
        self.require(bytes, file, &format!("{columns} columns of {rows} rows"))
    }

    /// The system has no memory where the budget had some.
    pub(crate) fn refused(file: &Name, bytes: u64) -> IngestError {
        let problem = format!(
            "the system gave no memory for {}; close other programs, or read a part",
            MemorySize(bytes)
        );
        IngestError::Memory { file: file.clone(), problem }
    }
}

impl fmt::Display for MemorySize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0 as f64;
        match self.0 {
            0..10_000 => write!(f, "{}B", self.0),
            10_000..1_000_000 => write!(f, "{:.0}KB", bytes / 1e3),
            1_000_000..1_000_000_000 => write!(f, "{:.0}MB", bytes / 1e6),
            _ => write!(f, "{:.1}GB", bytes / 1e9),
        }
    }
}

impl FromStr for MemorySize {
    type Err = String;

    fn from_str(text: &str) -> Result<MemorySize, String> {
        let problem = || format!("`{text}` is not a size; write for example 2GB, 500MB or 1GiB");
        let text = text.trim();
        let split = text.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let number: f64 = number.parse().map_err(|_| problem())?;
        let factor = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" | "bytes" => 1.0,
            "k" | "kb" => 1e3,
            "m" | "mb" => 1e6,
            "g" | "gb" => 1e9,
            "t" | "tb" => 1e12,
            "kib" => 1024.0,
            "mib" => 1024.0 * 1024.0,
            "gib" => 1024.0 * 1024.0 * 1024.0,
            "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
            _ => return Err(problem()),
        };
        match number * factor {
            bytes if (1.0..1e18).contains(&bytes) => Ok(MemorySize(bytes as u64)),
            _ => Err(problem()),
        }
    }
}

/// The smallest of what the machine has, what control groups allow and the limit on addresses.
fn usable() -> u64 {
    static USABLE: OnceLock<u64> = OnceLock::new();
    *USABLE.get_or_init(|| {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let machine = kilobytes(&read("/proc/meminfo"), "MemTotal:");
        let addresses = bytes_of_limit(&read("/proc/self/limits"));
        let groups = group_files(&read("/proc/self/cgroup"))
            .into_iter()
            .filter_map(|it| read(&it).trim().parse().ok());
        groups.chain(machine).chain(addresses).min().unwrap_or(UNKNOWN)
    })
}

fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|it| it.strip_prefix(key))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

fn bytes_of_limit(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|it| it.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The files that limit the memory of the groups this process is in, and of the groups around them.
fn group_files(text: &str) -> Vec<String> {
    let mut files = Vec::new();
    for line in text.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            it if it.split(',').any(|it| it == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let mut path = path.trim_end_matches('/');
        loop {
            files.push(format!("{root}{path}/{file}"));
            match path.rfind('/') {
                Some(at) => path = path.get(..at).unwrap_or_default(),
                None => break,
            }
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        let bytes = |text: &str| text.parse::<MemorySize>().map(|it| it.0);
        assert_eq!(bytes("2GB"), Ok(2_000_000_000));
        assert_eq!(bytes(" 1.5 gb"), Ok(1_500_000_000));
        assert_eq!(bytes("1GiB"), Ok(1 << 30));
        assert_eq!(bytes("4096"), Ok(4096));
        for bad in ["", "GB", "-1GB", "1e3GB", "2 elephants", "0", "99999999TB"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
        assert_eq!(MemorySize(2_000_000_000).to_string(), "2.0GB");
        for bytes in [7, 70_000, 7_000_000, 7_000_000_000] {
            assert_eq!(MemorySize(bytes).to_string().parse(), Ok(MemorySize(bytes)));
        }
        assert_eq!("3.4GB".parse::<MemorySize>().map(|it| it.to_string()), Ok("3.4GB".to_owned()));
    }

    #[test]
    fn groups_and_those_around_them_are_counted() {
        assert_eq!(
            group_files("0::/a/b\n"),
            ["/sys/fs/cgroup/a/b/memory.max", "/sys/fs/cgroup/a/memory.max", "/sys/fs/cgroup/memory.max"]
        );
        assert_eq!(
            group_files("9:cpu:/x\n4:memory,pids:/\n"),
            ["/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        );
        assert_eq!(kilobytes("MemTotal:  1000 kB\n", "MemTotal:"), Some(1_024_000));
        assert_eq!(bytes_of_limit("Max address space   5000   unlimited   bytes\n"), Some(5000));
        assert_eq!(bytes_of_limit("Max address space   unlimited  unlimited  bytes\n"), None);
    }

    #[test]
    fn what_is_too_large_is_refused_with_the_size_that_would_do() {
        let budget = Budget::new(Some(MemorySize(1_000_000)));
        assert!(budget.require_table((100, 1000), 0, &"a.csv".into()).is_ok());
        let text = budget.require_table((u64::MAX, 7), 5, &"a.csv".into()).unwrap_err().to_string();
        assert!(text.starts_with("a.csv: 7 columns of 18446744073709551615 rows would take"), "{text}");
        assert!(text.contains("--memory"), "{text}");
    }
}
