//! The labs, one file each. To add one, write its file here, its texts in `labs/NAME/`, and a line in [`LABS`].

mod byte_order;
mod datagrams;
mod echo;
mod fifo;
mod framed;
mod frames;
mod header;
mod json_header;
mod lab;
mod leaving;
mod many_clients;
mod read_exactly;
mod shell;
mod unix;

pub use lab::{Case, Lab, Rule, Texts};

/// All labs, in the order of the course.
pub const LABS: &[&Lab] = &[
    &echo::LAB,
    &read_exactly::LAB,
    &frames::LAB,
    &byte_order::LAB,
    &json_header::LAB,
    &datagrams::LAB,
    &many_clients::LAB,
    &unix::LAB,
    &shell::LAB,
];

/// The lab with this name.
pub fn find(name: &str) -> Option<&'static Lab> {
    LABS.iter().find(|lab| lab.name == name).copied()
}
