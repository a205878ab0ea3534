//! Files do not depend on the number of threads.

use crate::support::{contents, folder, parallax, text};

#[test]
fn one_two_and_five_threads_write_the_same_bytes() {
    for study in ["datasets/wage-panel", "datasets/nsw", "datasets/cbec-resilience"] {
        let [one, two, five] = [1, 2, 5].map(|it| written(study, it));
        assert!(!one.is_empty());
        assert_eq!(one, two, "{study}: two threads");
        assert_eq!(one, five, "{study}: five threads");
    }
}

#[test]
fn the_option_changes_nothing_and_zero_is_refused() {
    let fit = |threads: &str| parallax(FIT.into_iter().chain(["--threads", threads]));
    assert_eq!(fit("1").done(), fit("2").done());
    assert_eq!(fit("1").done(), parallax(FIT).done());
    assert_eq!(fit("0").code, 2);
}

/// A model with an absorbed effect.
const FIT: [&str; 10] = [
    "fit",
    "fixed-effects",
    "--data",
    "datasets/wage-panel/wage_panel.parquet",
    "--formula",
    "lwage ~ expersq + married + union | nr + year",
    "--vcov",
    "cluster:nr",
    "--format",
    "json",
];

/// The files of a study, made in a pool of so many threads. `--threads` sets the pool of the whole
/// process once, so that it cannot be used twice in one test binary.
fn written(study: &str, threads: usize) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let out = folder();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| parallax(["reproduce", study, "--quiet", "--out", text(out.path())]).done());
    contents(out.path())
}
