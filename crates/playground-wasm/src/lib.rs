//! The playground for a browser. JavaScript writes a question into our memory, and reads the answer from it:
//!
//! ```text
//! at = question(length)          makes room for that many bytes: write the question at `at`
//! length = answer()              answers it
//! at = answer_at()               read the answer at `at`
//! ```
//!
//! What you can ask is in `playground`. WebAssembly passes nothing but numbers, so a text is an address and a length.

#![allow(
    unsafe_code,
    reason = "exported names; only JavaScript follows the pointers, and only within our memory"
)]

use std::cell::RefCell;

thread_local! {
    /// The question, and then its answer.
    static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Makes room for a question of `length` bytes of UTF-8. Returns where to write it.
#[unsafe(no_mangle)]
pub extern "C" fn question(length: usize) -> *mut u8 {
    TEXT.with_borrow_mut(|text| {
        text.clear();
        text.resize(length, 0);
        text.as_mut_ptr()
    })
}

/// Answers the question. Returns the length of the answer in bytes of UTF-8.
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> usize {
    TEXT.with_borrow_mut(|text| {
        *text = playground::answer(&String::from_utf8_lossy(text)).into_bytes();
        text.len()
    })
}

/// Where the answer is, until the next question.
#[unsafe(no_mangle)]
pub extern "C" fn answer_at() -> *const u8 {
    TEXT.with_borrow(|text| text.as_ptr())
}
