//! The committed replica is what the simulator makes.

use std::fs;

use parallax_ingest::{ReadRequest, read};

use crate::support::{copy_of, parallax, root, text};

/// The committed file, made again. Bytes may differ where another machine's `exp` rounds otherwise;
/// then every value has to agree to this relative difference.
const OTHER_MACHINE: f64 = 1e-12;

#[test]
fn the_committed_file_is_made_again() {
    let study = copy_of("cbec-resilience");
    let made = study.path().join("replica.parquet");
    fs::remove_file(&made).unwrap();
    parallax(["simulate", "cbec-replica", "--dir", text(study.path())]).done();
    let committed = root().join("datasets/cbec-resilience/replica.parquet");
    if fs::read(&made).unwrap() != fs::read(&committed).unwrap() {
        println!("the bytes differ; comparing values");
    }
    let (made, committed) =
        (read(&ReadRequest::file(&made)).unwrap(), read(&ReadRequest::file(&committed)).unwrap());
    assert!(made.simulated() && committed.simulated(), "both files have to say that they are simulated");
    assert_eq!(made.panel.n_rows(), committed.panel.n_rows());
    let names = committed.panel.names();
    assert_eq!(made.panel.names(), names);
    for name in names {
        let (a, b) = (made.panel.real(name).unwrap(), committed.panel.real(name).unwrap());
        for (row, (a, b)) in a.iter().zip(b.iter()).enumerate() {
            let close = (a.is_nan() && b.is_nan()) || (a - b).abs() <= OTHER_MACHINE * b.abs();
            assert!(close, "`{name}`, row {row}: {a} made, {b} committed");
        }
    }
}

#[test]
fn another_seed_makes_another_file_and_the_same_seed_the_same() {
    let study = copy_of("cbec-resilience");
    let made = study.path().join("replica.parquet");
    let committed = fs::read(&made).unwrap();
    let with = |seed: &str| {
        parallax(["simulate", "cbec-replica", "--dir", text(study.path()), "--seed", seed]).done();
        fs::read(&made).unwrap()
    };
    let one = with("1");
    assert_ne!(one, committed);
    assert_ne!(with("2"), one);
    assert_eq!(with("1"), one);
}
