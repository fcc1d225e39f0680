//! How long answers took, from the socket calls that a client recorded.

use observe::Event;

/// One command and its answer. Times are milliseconds after the command was sent.
pub struct Exchange {
    /// Each recv that returned something: when, and how many bytes.
    pub brought: Vec<(f64, u64)>,
}

impl Exchange {
    /// The time until the last byte of the answer.
    pub fn took(&self) -> f64 {
        self.brought.last().map_or(f64::NAN, |(when, _)| *when)
    }

    /// The time from the first byte of the answer to its last.
    pub fn waited_inside(&self) -> f64 {
        self.brought.first().map_or(f64::NAN, |(first, _)| self.took() - first)
    }
}

/// The exchanges of a client that sent `command` repeatedly on one connection, with or without a length in front.
pub fn exchanges(client: &[Event], command: &[u8]) -> Vec<Exchange> {
    let asks = |event: &Event| {
        event.call == "send" && event.data.as_ref().is_some_and(|data| data.ends_with(command))
    };
    let begins = (0..client.len()).filter(|at| asks(&client[*at])).collect::<Vec<_>>();
    let ends = begins.iter().skip(1).copied().chain([client.len()]);
    let exchange = |(begin, end): (&usize, usize)| {
        let brought = client[*begin..end].iter().filter(|event| event.call == "recv");
        let since = |event: &Event| event.t_us.saturating_sub(client[*begin].t_us) as f64 / 1000.0;
        let brought = brought.filter_map(|event| Some((since(event), event.got?)));
        Exchange { brought: brought.filter(|(_, got)| *got > 0).collect() }
    };
    begins.iter().zip(ends).map(exchange).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_its_answer() {
        let event = |t_us, call: &str, data: &[u8]| Event {
            t_us,
            call: call.into(),
            got: Some(data.len() as u64),
            data: Some(data.to_vec()),
            ..Event::default()
        };
        let events = [
            event(1_000, "send", b"\x02\0\0\0hi"),
            event(3_000, "recv", b"\x01\0\0\0"),
            event(43_000, "recv", b"a"),
            event(50_000, "send", b"hi"),
            event(51_000, "recv", b"1"),
            event(51_500, "send", b"OK"),
            event(52_000, "recv", b"a"),
            event(53_000, "recv", b""),
        ];
        let came = exchanges(&events, b"hi");
        let times: Vec<_> = came.iter().map(|one| (one.took(), one.waited_inside())).collect();
        assert_eq!(times, [(42.0, 40.0), (2.0, 1.0)]);
        assert_eq!(came[0].brought, [(2.0, 4), (42.0, 1)]);
    }
}
