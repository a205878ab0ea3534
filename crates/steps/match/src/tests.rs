//! Fast paths against the definitions, unit by unit.

mod definitions;
mod psmatch2;
