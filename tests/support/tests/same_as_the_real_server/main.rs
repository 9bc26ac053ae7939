//! The in-process API server is worth as much as it resembles the real one: the same requests to both, the same answers.

mod both;
mod definitions;
mod secrets;
mod workloads;
