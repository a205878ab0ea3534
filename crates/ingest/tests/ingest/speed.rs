//! Time and memory of reading. `cargo test --release -p parallax-ingest speed -- --ignored --nocapture`.

use std::{fs, fs::File, path::Path, time::Instant};

use arrow::array::{Float64Array, Int32Array, StringArray};
use parallax_ingest::{FileRequest, ReadRequest, WriteOptions, read, write};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::{Folder, array};

#[test]
#[ignore = "measures, asserts nothing"]
fn speed() {
    let folder = Folder::new();
    let large = table(&folder, "large.parquet", 1_000_000, 10);
    clock("bare reader, 1e6 x 10", || drain(&large));
    let request = ReadRequest::file(&large);
    clock("1e6 x 10", || drop(read(&request).unwrap()));
    let indexed = request.indexed("id", "year");
    clock("1e6 x 10, indexed", || drop(read(&indexed).unwrap()));
    let text = folder.path("large.csv");
    write(&read(&indexed).unwrap().panel, &text, &WriteOptions::default()).unwrap();
    clock("1e6 x 10 as CSV", || drop(read(&ReadRequest::file(&text)).unwrap()));
    let right = FileRequest::new(&large).rename("x2", "z");
    let joined = indexed.join(right).only(["z"]);
    clock("join on unit and time, 1e6 rows", || drop(read(&joined).unwrap()));

    let names = array(StringArray::from_iter_values((0..1_000_000).map(|it| format!("city {}", it / 20))));
    let texts = folder.parquet("text.parquet", vec![("city", names)], 1 << 20);
    clock("1e6 texts, 5e4 distinct", || drop(read(&ReadRequest::file(&texts)).unwrap()));
    let small = ReadRequest::file(table(&folder, "small.parquet", 259, 12)).indexed("id", "year");
    clock("259 x 12, indexed", || drop(read(&small).unwrap()));
}

fn table(folder: &Folder, name: &str, rows: i32, columns: usize) -> std::path::PathBuf {
    let names: Vec<String> = (2..columns).map(|it| format!("x{it}")).collect();
    let mut all = vec![
        ("id", array(Int32Array::from_iter_values((0..rows).map(|it| it / 20)))),
        ("year", array(Int32Array::from_iter_values((0..rows).map(|it| 2000 + it % 20)))),
    ];
    for (name, at) in names.iter().zip(1..) {
        let values = (0..rows).map(|it| (f64::from(it) * f64::from(at)).sin());
        all.push((name, array(Float64Array::from_iter_values(values))));
    }
    folder.parquet(name, all, 1 << 17)
}

fn drain(path: &Path) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    for batch in reader.with_batch_size(8192).build().unwrap() {
        batch.unwrap();
    }
}

fn clock(what: &str, work: impl Fn()) {
    let before = memory("VmRSS");
    // Linux forgets the peak so far; elsewhere the peak is not shown.
    let _ = fs::write("/proc/self/clear_refs", "5");
    let times: Vec<f64> = (0..7)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    let best = times.iter().copied().fold(f64::INFINITY, f64::min);
    let peak = memory("VmHWM").saturating_sub(before);
    eprintln!("{what}: first {:.2} ms, best {best:.2} ms, peak {} MB above the start", times[0], peak / 1024);
}

fn memory(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|it| it.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|it| it.parse().ok()).unwrap_or(0)
}
