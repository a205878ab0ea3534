//! Reads Parquet, Arrow IPC and CSV files into a [`parallax_panel::Panel`], joins them, and writes them back.
//!
//! [`read`] takes a [`ReadRequest`] and returns [`Loaded`]: the panel, a report for each file, and notes
//! on every choice a reader of the results has to know. [`write`] and [`write_table`] are the way back.
//! This is the only crate of the system that names arrow and parquet.

mod alike;
mod budget;
mod csv;
mod dataset;
mod decode;
mod digest;
mod error;
mod guard;
mod ipc;
mod join;
mod keys;
mod loaded;
mod missing;
mod origin;
mod parquet;
mod plan;
mod raw;
mod read;
mod request;
mod schema;
mod source;
mod time;
mod write;

pub use budget::MemorySize;
pub use digest::sha256;
pub use error::{IngestError, Place, RowNumber};
pub use loaded::{FileReport, Format, Loaded, MixedColumn};
pub use read::read;
pub use request::{FileRequest, JoinOn, PeriodRange, ReadOptions, ReadRequest, Select};
pub use schema::describe_schema;
pub use source::is_data_file;
pub use write::{Compression, WriteOptions, write, write_table};
