//! `--segments`: what really travels below the calls, recorded in a network of the run's own.

use crate::setup_error::SetupError;
use segments::{Capture, CaptureError, Recording, Traffic};
use std::io::BufWriter;
use std::path::Path;
use timeline::Stream;

/// Everything that has travelled since the experiment began.
pub struct SegmentRecorder {
    recording: Recording,
    capture: Option<Capture>,
    not_shown: Option<&'static str>,
}

impl SegmentRecorder {
    /// Starts recording. It refuses in the machine's own network ([`CaptureError`] says why).
    pub fn watch() -> Result<SegmentRecorder, CaptureError> {
        Ok(SegmentRecorder {
            recording: Recording::default(),
            capture: Some(Capture::start()?),
            not_shown: None,
        })
    }

    /// The same stream with the segments that carried it, as far as they were seen: those between the same two addresses.
    /// Nothing is added where a relay is drawn, or where the stream did not travel by TCP.
    pub fn show(&mut self, stream: &Stream) -> Result<Stream, SetupError> {
        self.collect();
        self.capture = Some(Capture::start().map_err(SetupError::Segments)?);
        let mut events = Traffic::of(&self.recording).events();
        let route = stream.route().filter(|_| !stream.is_relayed());
        let ours = |end: &Option<String>, address: &str| end.as_deref() == Some(address);
        events.retain(|event| {
            route.is_some_and(|[from, to]| ours(&event.local, from) && ours(&event.peer, to))
        });
        if events.is_empty() {
            self.not_shown = Some(match stream.is_relayed() {
                true => "the segments are only in the file: a relay is drawn instead\n",
                false => "the packets are only in the file: no TCP is drawn\n",
            });
            return Ok(stream.clone());
        }
        Ok(stream.clone().via("network", &events)?)
    }

    /// Why a picture was drawn without segments, if one was: a line to print.
    pub fn not_shown(&self) -> Option<&'static str> {
        self.not_shown
    }

    /// Writes all of it for Wireshark, if there is anything; returns how many packets there were.
    pub fn save(mut self, path: &Path) -> Result<usize, SetupError> {
        self.collect();
        if !self.recording.packets.is_empty() {
            let written = observe::replace_private(path)
                .and_then(|file| self.recording.write_pcapng(&mut BufWriter::new(file)));
            written.map_err(|source| SetupError::Save { path: path.to_owned(), source })?;
        }
        Ok(self.recording.packets.len())
    }

    /// Adds what has been captured: a capture hands it over when it stops. Until the next capture starts, a picture is
    /// being drawn or the run is over, so nothing is missed.
    fn collect(&mut self) {
        if let Some(capture) = self.capture.take() {
            let recording = capture.stop();
            self.recording.epoch_us = recording.epoch_us;
            self.recording.full |= recording.full;
            self.recording.packets.extend(recording.packets);
        }
    }
}
