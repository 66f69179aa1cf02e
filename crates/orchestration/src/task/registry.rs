//! The functions that stages name.
//!
//! A stage is data and outlives the process that submitted it; the registry gives its function
//! back after a restart. Nothing is called here.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{StageContext, StageResult};

/// A registered function.
pub type StageFunction = Arc<dyn Fn(&StageContext) -> StageResult + Send + Sync>;

/// Functions by name.
#[derive(Clone, Default)]
pub struct Registry {
    functions: BTreeMap<String, StageFunction>,
}

impl Registry {
    /// Returns a registry without functions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers `function` under `name`.
    ///
    /// The function may be called again after a crash, before its completion was journalled:
    /// calling it twice must do no harm.
    ///
    /// # Panics
    /// If the name is taken: two functions under one name are a bug of the caller.
    pub fn register<F>(&mut self, name: impl Into<String>, function: F)
    where
        F: Fn(&StageContext) -> StageResult + Send + Sync + 'static,
    {
        let name = name.into();
        assert!(!self.functions.contains_key(&name), "function {name} is registered twice");
        self.functions.insert(name, Arc::new(function));
    }

    /// Puts something around every function: time that passes, a fault, an account of what was done.
    #[must_use]
    pub fn wrap(self, around: impl Fn(&str, StageFunction) -> StageFunction) -> Self {
        let wrapped = self.functions.into_iter().map(|(name, function)| {
            let function = around(&name, function);
            (name, function)
        });
        Self { functions: wrapped.collect() }
    }

    /// Returns the names of the functions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.functions.keys().map(String::as_str)
    }

    pub(crate) fn function(&self, name: &str) -> Option<&StageFunction> {
        self.functions.get(name)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.functions.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::StageOutput;

    #[test]
    #[should_panic(expected = "function fetch is registered twice")]
    fn a_name_is_registered_once() {
        let mut registry = Registry::new();
        registry.register("fetch", |_| Ok(StageOutput::fresh(1.into())));
        registry.register("fetch", |_| Ok(StageOutput::fresh(2.into())));
    }
}
