//! The requests of the lab as bytes, and what their answers have to add up to.

use std::collections::BTreeMap;

use crate::verdict::{CaseFailure, Fault};

pub(super) const HEADER: usize = 5;
/// What [`Ledger::check`] does, for the report.
pub(super) const SORTS: &str =
    "sorts the answers by their totals: each must be the one before plus its own amount";

pub(super) fn echo(number: u32, payload: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes(), b"E".as_slice(), payload].concat()
}

/// An addition. With the total as its amount, it is the answer to one.
pub(super) fn add(number: u32, amount: u32) -> Vec<u8> {
    [&number.to_be_bytes(), b"A".as_slice(), &amount.to_be_bytes()].concat()
}

/// A request in words.
pub(super) fn named(request: &[u8]) -> String {
    let word = |at: usize| {
        request.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes)
    };
    match request.get(4) {
        Some(b'A') => format!("add {}, number {}", word(HEADER), word(0)),
        _ => format!("echo of {} bytes, number {}", request.len() - HEADER, word(0)),
    }
}

/// Additions that the server may carry out in any order, and the totals that it answered.
#[derive(Default)]
pub(super) struct Ledger {
    amounts: BTreeMap<u32, u32>,
    totals: BTreeMap<u32, u32>,
}

impl Ledger {
    /// Records an addition. The amount is at least 1, so no two totals are the same.
    pub fn ask(&mut self, number: u32, amount: u32) -> Vec<u8> {
        self.amounts.insert(number, amount);
        add(number, amount)
    }

    pub fn request(&self, number: u32) -> Vec<u8> {
        add(number, self.amount(number))
    }

    /// The numbers of the requests.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.amounts.keys().copied()
    }

    pub fn unanswered(&self) -> Vec<u32> {
        self.numbers().filter(|number| !self.totals.contains_key(number)).collect()
    }

    /// Records an answer, and returns the number of its request. The answer must belong to one of the requests, and be
    /// the same as any earlier answer to it.
    pub fn note(&mut self, answer: &[u8]) -> Result<u32, CaseFailure> {
        let parts = answer.split_first_chunk().and_then(|(number, rest)| {
            let total = rest.strip_prefix(b"A")?.try_into().ok()?;
            Some((u32::from_be_bytes(*number), u32::from_be_bytes(total)))
        });
        let Some((number, total)) = parts.filter(|(n, _)| self.amounts.contains_key(n)) else {
            let what = "a datagram came that answers none of these requests";
            return Err(CaseFailure::differs(Fault::Wrong, what, b"", answer));
        };
        let earlier = *self.totals.entry(number).or_insert(total);
        if earlier != total {
            let what = format!("two answers to number {number} differ: it was carried out twice");
            return Err(CaseFailure::differs(Fault::Wrong, what, &add(number, earlier), answer));
        }
        Ok(number)
    }

    /// Checks that the totals are those of the amounts, added one at a time in some order.
    pub fn check(&self) -> Result<(), CaseFailure> {
        let mut sorted: Vec<(u32, u32)> = self.totals.iter().map(|(n, t)| (*t, *n)).collect();
        sorted.sort_unstable();
        let mut sum = 0_u32;
        for (total, number) in sorted {
            let (before, amount) = (sum, self.amount(number));
            sum += amount;
            if total != sum {
                let what = format!(
                    "number {number} adds {amount} to {before}, which makes {sum}, but the answer says {total}"
                );
                return Err(CaseFailure::differs(
                    Fault::Wrong,
                    what,
                    &add(number, sum),
                    &add(number, total),
                ));
            }
        }
        Ok(())
    }

    fn amount(&self, number: u32) -> u32 {
        self.amounts.get(&number).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two additions, 5 as number 1 and 7 as number 2, and these answers.
    fn answered(answers: &[Vec<u8>]) -> Result<(), String> {
        let mut ledger = Ledger::default();
        ledger.ask(1, 5);
        ledger.ask(2, 7);
        for answer in answers {
            ledger.note(answer).map_err(|failure| failure.what)?;
        }
        assert_eq!(ledger.unanswered(), [0; 0]);
        ledger.check().map_err(|failure| failure.what)
    }

    #[test]
    fn any_order_of_execution_is_right() {
        assert_eq!(answered(&[add(1, 5), add(2, 12)]), Ok(()));
        assert_eq!(answered(&[add(1, 12), add(2, 7), add(1, 12)]), Ok(()));
    }

    #[test]
    fn what_was_carried_out_twice_shows() {
        let twice = answered(&[add(1, 5), add(1, 10)]);
        assert_eq!(twice.unwrap_err(), "two answers to number 1 differ: it was carried out twice");
        let unseen = answered(&[add(1, 5), add(2, 17)]);
        assert_eq!(
            unseen.unwrap_err(),
            "number 2 adds 7 to 5, which makes 12, but the answer says 17"
        );
    }

    #[test]
    fn an_answer_that_is_none_shows() {
        let stranger = "a datagram came that answers none of these requests";
        assert_eq!(answered(&[add(3, 5)]).unwrap_err(), stranger);
        assert_eq!(answered(&[b"abcd".to_vec()]).unwrap_err(), stranger);
        assert_eq!(answered(&[echo(1, b"abcd")]).unwrap_err(), stranger);
    }
}
