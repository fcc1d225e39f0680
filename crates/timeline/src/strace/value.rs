//! The arguments of a call, as strace writes them: `3<TCP:[…]>, "\x68\x69", [{iov_base="…", iov_len=2}], 0`.

/// An argument, a field of a structure, or an element of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Bytes between quotes.
    Bytes {
        bytes: Vec<u8>,
        /// strace showed only their beginning (`-s`).
        cut: bool,
    },
    /// `{a=1, b=2}`; a field without a name has an empty one.
    Struct(Vec<(&'a str, Value<'a>)>),
    /// `[1, 2]`.
    Array(Vec<Value<'a>>),
    /// Anything else, unchanged: `0`, `NULL`, `MSG_PEEK|MSG_DONTWAIT`, `3<TCP:[…]>`, `htons(80)`.
    Word(&'a str),
}

/// How deeply structures may be nested: deeper than strace prints for any of these calls.
const DEEPEST: usize = 16;

/// The values of a list, up to the end of the text; `None` if the text isn't a list.
pub fn values(text: &str) -> Option<Vec<Value<'_>>> {
    let mut rest = Rest(text);
    let values = rest.list(None, 0)?;
    Some(values.into_iter().map(|(_, value)| value).collect())
}

impl<'a> Value<'a> {
    /// The field of this name, of a structure.
    pub fn field(&self, name: &str) -> Option<&Value<'a>> {
        let Value::Struct(fields) = self else { return None };
        fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    /// The elements of an array; for anything else, nothing.
    pub fn elements(&self) -> &[Value<'a>] {
        if let Value::Array(elements) = self { elements } else { &[] }
    }

    pub fn word(&self) -> Option<&'a str> {
        if let Value::Word(word) = self { Some(word) } else { None }
    }

    /// A number, if it is one.
    pub fn number(&self) -> Option<u64> {
        self.word()?.parse().ok()
    }

    /// Whether this name is among flags: `MSG_PEEK|MSG_DONTWAIT`.
    pub fn has_flag(&self, name: &str) -> bool {
        self.word().is_some_and(|word| word.split('|').any(|flag| flag == name))
    }
}

/// What has not been read yet.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn take(&mut self, what: &str) -> bool {
        let rest = self.0.strip_prefix(what);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Blanks, and comments such as `/* 3 entries */`.
    fn skip_blanks(&mut self) {
        loop {
            self.0 = self.0.trim_start();
            match self.0.strip_prefix("/*").and_then(|rest| rest.split_once("*/")) {
                Some((_, rest)) => self.0 = rest,
                None => return,
            }
        }
    }

    /// Named or unnamed values with commas between them, up to `end`.
    fn list(&mut self, end: Option<char>, depth: usize) -> Option<Vec<(&'a str, Value<'a>)>> {
        let mut values = Vec::new();
        loop {
            self.skip_blanks();
            let ends = match end {
                Some(end) => self.0.starts_with(end),
                None => self.0.is_empty(),
            };
            if ends {
                self.0 = &self.0[end.map_or(0, char::len_utf8)..];
                return Some(values);
            }
            let name = self.name();
            values.push((name, self.value(depth)?));
            self.skip_blanks();
            // `[128 => 16]`: a length before the call, and after it.
            if self.take("=>") {
                self.skip_blanks();
                values.pop();
                values.push((name, self.value(depth)?));
            }
            self.take(",");
        }
    }

    /// The name in front of a field's value, or nothing.
    fn name(&mut self) -> &'a str {
        let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
        let end = self.0.find(|char| !is_part(char)).unwrap_or(self.0.len());
        let (name, rest) = self.0.split_at(end);
        match rest.strip_prefix('=').filter(|rest| !name.is_empty() && !rest.starts_with('>')) {
            Some(rest) => {
                self.0 = rest;
                name
            }
            None => "",
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value<'a>> {
        if depth > DEEPEST {
            return None;
        }
        match self.0.chars().next()? {
            '"' => self.bytes(),
            '{' => {
                self.0 = &self.0[1..];
                Some(Value::Struct(self.list(Some('}'), depth + 1)?))
            }
            '[' => {
                self.0 = &self.0[1..];
                let elements = self.list(Some(']'), depth + 1)?;
                Some(Value::Array(elements.into_iter().map(|(_, value)| value).collect()))
            }
            _ => self.word(),
        }
    }

    /// `"\x68i\n"`, perhaps with `...` after it.
    fn bytes(&mut self) -> Option<Value<'a>> {
        let end = end_of_quoted(self.0)?;
        let bytes = unescape(&self.0[1..end - 1])?;
        self.0 = &self.0[end..];
        Some(Value::Bytes { bytes, cut: self.take("...") })
    }

    /// Up to the next comma or closing bracket that isn't part of it.
    fn word(&mut self) -> Option<Value<'a>> {
        let mut at = 0;
        let mut open = Vec::new();
        while let Some(char) = self.0[at..].chars().next() {
            match char {
                '"' => {
                    at += end_of_quoted(&self.0[at..])?;
                    continue;
                }
                '<' => {
                    at += end_of_annotation(&self.0[at..])?;
                    continue;
                }
                '(' => open.push(')'),
                '[' => open.push(']'),
                '{' => open.push('}'),
                ',' | ' ' if open.is_empty() => break,
                ')' | ']' | '}' if open.is_empty() => break,
                ')' | ']' | '}' if open.pop() != Some(char) => return None,
                _ => {}
            }
            at += char.len_utf8();
        }
        let (word, rest) = self.0.split_at(at);
        self.0 = rest;
        (!word.is_empty() && open.is_empty()).then_some(Value::Word(word))
    }
}

/// The end of the quoted text that begins here.
fn end_of_quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The end of strace's note on a descriptor: `<TCP:[127.0.0.1:1->127.0.0.1:2]>`. A `>` between brackets is not the end.
fn end_of_annotation(text: &str) -> Option<usize> {
    let mut at = 1;
    let mut depth = 0_usize;
    while let Some(char) = text[at..].chars().next() {
        match char {
            '"' => {
                at += end_of_quoted(&text[at..])?;
                continue;
            }
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '>' if depth == 0 => return Some(at + 1),
            _ => {}
        }
        at += char.len_utf8();
    }
    None
}

/// The bytes that C's escapes stand for; with `-xx` every byte is written like `\x68`.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4);
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'\\' {
            bytes.push(*byte);
            continue;
        }
        let [kind, after @ ..] = rest else { return None };
        rest = after;
        let (digits, radix, most) = match kind {
            b'x' => (rest, 16, 2),
            b'0'..=b'7' => (&text.as_bytes()[text.len() - rest.len() - 1..], 8, 3),
            _ => {
                bytes.push(match kind {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'v' => 0x0b,
                    b'f' => 0x0c,
                    b'a' => 0x07,
                    b'b' => 0x08,
                    b'"' | b'\\' => *kind,
                    _ => return None,
                });
                continue;
            }
        };
        let is_digit = |byte: &&u8| char::from(**byte).is_digit(radix);
        let count = digits.iter().take(most).take_while(is_digit).count();
        let number = std::str::from_utf8(&digits[..count]).ok()?;
        bytes.push(u8::from_str_radix(number, radix).ok()?);
        rest = &digits[count..];
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_in_every_notation() {
        let check = |text: &str, bytes: &[u8], is_cut| {
            let expected = Value::Bytes { bytes: bytes.to_vec(), cut: is_cut };
            assert_eq!(values(text), Some(vec![expected]), "{text}");
        };
        check(r#""\x68\x69""#, b"hi", false);
        check(r#""hi\n\0\33\"\\"..."#, b"hi\n\0\x1b\"\\", true);
        check(r#""\0011""#, b"\x011", false);
        check(r#""""#, b"", false);
        assert_eq!(values(r#""\x""#), None);
        assert_eq!(values(r#""\xzz""#), None);
        assert_eq!(values(r#""open"#), None);
        assert_eq!(values(r#""\777""#), None, "no byte");
    }

    #[test]
    fn structures_and_words() {
        let all = values(
            r#"3<TCP:[127.0.0.1:1->127.0.0.1:2]>, {msg_name=NULL, msg_iov=[{iov_base="\x68", iov_len=1}], msg_flags=MSG_A|MSG_B}, [128 => 16], 0"#,
        )
        .unwrap();
        assert_eq!(all[0].word(), Some("3<TCP:[127.0.0.1:1->127.0.0.1:2]>"));
        let iov = &all[1].field("msg_iov").unwrap().elements()[0];
        assert_eq!(iov.field("iov_len").unwrap().number(), Some(1));
        assert!(all[1].field("msg_flags").unwrap().has_flag("MSG_B"));
        assert_eq!(all[2].elements()[0].number(), Some(16));
        assert_eq!(all[3].number(), Some(0));
        let address = r#"{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("\x31")}"#;
        let address = &values(address).unwrap()[0];
        assert_eq!(address.field("sin_port").unwrap().word(), Some("htons(80)"));
        assert_eq!(values(r#"4<UNIX-STREAM:[7->8,"/tmp/a]>b"]>, 1"#).unwrap().len(), 2);
        assert_eq!(values("[1, 2] /* 2 entries */, 5").unwrap().len(), 2);
        assert_eq!(values(&"[".repeat(100)), None);
        assert_eq!(values("]"), None);
        assert_eq!(values("(a]"), None);
    }
}
