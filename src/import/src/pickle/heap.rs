//! The values of a pickle. What holds others holds their places in one list: nothing is nested, so that nothing takes the
//! stack, and what is used many times is kept once.

use super::globals::Global;
use super::tensor::{Storage, TensorView};

/// A value, or the place of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// The number that files of before torch 1.6 begin with.
    Magic,
    /// Its value does not matter.
    Float,
    Global(Global),
    Object(usize),
}

/// A value of more than one word.
#[derive(Debug)]
pub(crate) enum Object {
    Text(String),
    Tuple(Vec<Value>),
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    Storage(Storage),
    /// In a box, so that the others are small.
    Tensor(Box<TensorView>),
}

/// The objects of a pickle.
#[derive(Debug, Default)]
pub(crate) struct Heap(Vec<Object>);

impl Heap {
    pub(super) fn add(&mut self, object: Object) -> Value {
        self.0.push(object);
        Value::Object(self.0.len() - 1)
    }

    pub(crate) fn get(&self, value: Value) -> Option<&Object> {
        let Value::Object(place) = value else { return None };
        self.0.get(place)
    }

    pub(super) fn get_mut(&mut self, value: Value) -> Option<&mut Object> {
        let Value::Object(place) = value else { return None };
        self.0.get_mut(place)
    }

    pub(crate) fn text(&self, value: Value) -> Option<&str> {
        let Some(Object::Text(text)) = self.get(value) else { return None };
        Some(text)
    }

    pub(crate) fn tuple(&self, value: Value) -> Option<&[Value]> {
        let Some(Object::Tuple(values)) = self.get(value) else { return None };
        Some(values)
    }

    pub(crate) fn list(&self, value: Value) -> Option<&[Value]> {
        let Some(Object::List(values)) = self.get(value) else { return None };
        Some(values)
    }

    pub(crate) fn dict(&self, value: Value) -> Option<&[(Value, Value)]> {
        let Some(Object::Dict(entries)) = self.get(value) else { return None };
        Some(entries)
    }

    /// The storages that are referred to.
    pub(crate) fn storages(&self) -> impl Iterator<Item = &Storage> {
        self.0.iter().filter_map(|object| if let Object::Storage(storage) = object { Some(storage) } else { None })
    }

    /// What kind of value it is, for a message.
    pub(crate) fn kind(&self, value: Value) -> &'static str {
        match (value, self.get(value)) {
            (Value::None, _) => "None",
            (Value::Bool(_), _) => "a bool",
            (Value::Int(_) | Value::Magic | Value::Float, _) => "a number",
            (Value::Global(_), _) => "a class or function",
            (_, Some(Object::Text(_))) => "a text",
            (_, Some(Object::Tuple(_))) => "a tuple",
            (_, Some(Object::List(_))) => "a list",
            (_, Some(Object::Dict(_))) => "a dictionary",
            (_, Some(Object::Storage(_))) => "a storage",
            (_, Some(Object::Tensor(_))) => "a tensor",
            (Value::Object(_), None) => "nothing",
        }
    }
}
