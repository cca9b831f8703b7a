//! The encodings, seen from outside.

mod arbitrary;
mod evolution;
mod golden;
mod hostile;
mod limits;
mod round_trip;
