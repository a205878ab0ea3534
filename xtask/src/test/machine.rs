//! The head of the log: on which machine, with what.

use std::{env, fs, process::Command, thread};

use super::PRIVATE_DATA;
use crate::{process::capture, workspace::Workspace};

/// Facts one needs to read times and differences.
pub fn print(workspace: &Workspace) {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let rustc = capture(Command::new(rustc).arg("--version").current_dir(&workspace.root));
    let threads = thread::available_parallelism().map_or("unknown".to_owned(), |it| it.to_string());
    println!("compiler  {}", rustc.as_deref().map_or("unknown", str::trim));
    println!("system    {} {}", env::consts::OS, env::consts::ARCH);
    println!("processor {}", processor().as_deref().unwrap_or("unknown"));
    println!("threads   {threads}");
    match env::var_os(PRIVATE_DATA) {
        Some(_) => println!("{PRIVATE_DATA} is set: tests on data that may not be distributed run"),
        None => println!("{PRIVATE_DATA} is not set: tests on data that may not be distributed are skipped"),
    }
}

fn processor() -> Option<String> {
    if cfg!(target_os = "macos") {
        let name = capture(Command::new("sysctl").args(["-n", "machdep.cpu.brand_string"]));
        return name.ok().map(|it| it.trim().to_owned());
    }
    let from_proc = fs::read_to_string("/proc/cpuinfo").ok();
    let named = from_proc.as_deref().and_then(model_name).map(str::to_owned);
    named.or_else(|| env::var("PROCESSOR_IDENTIFIER").ok())
}

fn model_name(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|it| it.starts_with("model name"))?;
    line.split_once(':').map(|it| it.1.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_named_as_the_system_names_it() {
        assert_eq!(model_name("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n"), Some("Some CPU @ 2 GHz"));
        assert_eq!(model_name("processor\t: 0\n"), None);
    }
}
