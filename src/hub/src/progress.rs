//! Whoever shows how far it is.

/// Is told of what is fetched.
pub trait Progress {
    /// So many more bytes are to be fetched.
    fn expect(&mut self, bytes: u64);
    /// This file comes next.
    fn file(&mut self, name: &str);
    /// So many bytes have come.
    fn advance(&mut self, bytes: u64);
    /// A line for people.
    fn note(&mut self, line: &str);
}
