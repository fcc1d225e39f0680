//! Why a client got no command to send.

use std::fmt;
use std::io;

use observe::Failure;

use crate::token::TokenError;

/// Why a client got no command to send.
#[derive(Debug)]
pub enum PromptError {
    /// Ctrl-C at the prompt.
    Interrupted,
    /// Standard input cannot be read.
    Input(io::Error),
    /// The prompt can't be written; a broken pipe means that its reader has left.
    Output(io::Error),
    /// The token file cannot be used.
    Token(TokenError),
}

impl fmt::Display for PromptError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => out.write_str("interrupted at the prompt"),
            Self::Input(error) => write!(out, "cannot read commands: {error}"),
            Self::Output(error) => write!(out, "cannot write the prompt: {error}"),
            Self::Token(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for PromptError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Interrupted => None,
            Self::Input(error) | Self::Output(error) => Some(error),
            Self::Token(error) => error.source(),
        }
    }
}

impl From<PromptError> for Failure {
    fn from(error: PromptError) -> Failure {
        match error {
            PromptError::Interrupted => Failure::Interrupted,
            PromptError::Output(error) => Failure::Stdout(error),
            other => Failure::Usage(other.to_string()),
        }
    }
}
