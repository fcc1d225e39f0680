//! How the network cuts a stream. The syntax is the relay's, plus `sends`.

use std::str::FromStr;

/// Where the stream is cut into the pieces in which it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// `*`: nowhere. Everything on its way arrives in one piece.
    Nowhere,
    /// `sends`: after each send.
    Sends,
    /// `1`, `3,1`: pieces of these sizes, over and over.
    Repeat(Vec<usize>),
    /// `3,1,*`: pieces of these sizes, and the rest in one.
    Once(Vec<usize>),
}

impl FromStr for Cut {
    type Err = String;

    fn from_str(text: &str) -> Result<Cut, String> {
        let before_star = text.trim().strip_suffix(['*', '＊']).map(str::trim_end);
        let cut = match before_star {
            Some("") => Some(Cut::Nowhere),
            Some(before) => before.strip_suffix(COMMAS).and_then(sizes).map(Cut::Once),
            None if text.trim() == "sends" => Some(Cut::Sends),
            None => sizes(text).map(Cut::Repeat),
        };
        cut.ok_or_else(|| {
            format!(
                "expected * (all in one piece), sends (a piece for each send), sizes in bytes such as 1 or 3,1 (repeated), \
                 or 3,1,* (then the rest in one piece), got \"{text}\""
            )
        })
    }
}

/// The commas of an English and of a Chinese keyboard.
const COMMAS: [char; 2] = [',', '，'];

/// Sizes with commas between them, each at least 1.
pub fn sizes(text: &str) -> Option<Vec<usize>> {
    let size = |size: &str| size.trim().parse().ok().filter(|size| *size > 0);
    text.split(COMMAS).map(size).collect()
}

impl Cut {
    /// Where a stream is cut, as offsets. `sends` says where its sends end.
    pub fn places(&self, sends: &[usize]) -> Vec<usize> {
        let len = sends.last().copied().unwrap_or(0);
        let sizes: Box<dyn Iterator<Item = usize>> = match self {
            Cut::Nowhere => Box::new([].into_iter()),
            Cut::Sends => {
                let within = |end: &usize| (1..len).contains(end);
                let mut ends: Vec<usize> = sends.iter().copied().filter(within).collect();
                ends.dedup(); // a send of no bytes ends where the one before it does
                return ends;
            }
            Cut::Repeat(sizes) => Box::new(sizes.iter().copied().cycle()),
            Cut::Once(sizes) => Box::new(sizes.iter().copied()),
        };
        let mut at = 0_usize;
        let places = sizes.map(|size| {
            at = at.saturating_add(size);
            at
        });
        places.take_while(|place| *place < len).collect()
    }
}
