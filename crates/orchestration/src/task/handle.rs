//! Typed names of tasks, and where their outputs wait for whoever depends on them.
//!
//! A handle knows the type of its task's output, so a task that takes another type does not
//! compile. Ordering without data needs only the [`TaskId`].

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The name of a task for programs: unique in the process, in the order of definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(u64);

impl TaskId {
    pub(super) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Returns how many tasks later than `other` this one was defined, if it was not earlier.
    pub(super) fn distance_from(self, other: Self) -> Option<usize> {
        usize::try_from(self.0.checked_sub(other.0)?).ok()
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

/// Where the output of a task is put once its attempt is accepted.
#[derive(Debug)]
pub(super) struct Slot<T>(Mutex<Option<Arc<T>>>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Slot<T> {
    pub(super) fn get(&self) -> Option<Arc<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, value: Option<Arc<T>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = value;
    }
}

/// An output without its type.
pub(crate) type AnyOutput = Arc<dyn Any + Send + Sync>;

/// Where the output of a task is, for those who do not know its type.
pub(crate) trait AnySlot: Send + Sync {
    /// Throws the output away.
    fn forget(&self);

    /// Returns what is there.
    fn output(&self) -> Option<AnyOutput>;

    /// Puts an output there, if it is of the right type.
    fn recall(&self, output: AnyOutput) -> bool;
}

impl<T: Send + Sync + 'static> AnySlot for Slot<T> {
    fn forget(&self) {
        self.set(None);
    }

    fn output(&self) -> Option<AnyOutput> {
        self.get().map(|output| -> AnyOutput { output })
    }

    fn recall(&self, output: AnyOutput) -> bool {
        let typed = output.downcast::<T>().ok();
        let is_typed = typed.is_some();
        if is_typed {
            self.set(typed);
        }
        is_typed
    }
}

/// A task whose output is a `T`.
pub struct TaskHandle<T> {
    pub(super) id: TaskId,
    pub(super) slot: Arc<Slot<T>>,
}

impl<T> TaskHandle<T> {
    /// Returns the task without the type of its output.
    pub fn id(&self) -> TaskId {
        self.id
    }
}

impl<T> Clone for TaskHandle<T> {
    fn clone(&self) -> Self {
        Self { id: self.id, slot: Arc::clone(&self.slot) }
    }
}

impl<T> fmt::Debug for TaskHandle<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("TaskHandle").field(&self.id.0).finish()
    }
}

impl<T> From<&TaskHandle<T>> for TaskId {
    fn from(handle: &TaskHandle<T>) -> Self {
        handle.id
    }
}

/// Fetches the outputs that a task takes; `None` if one was thrown away meanwhile.
pub type InputReader<V> = Box<dyn Fn() -> Option<V> + Send + Sync>;

/// What a task can take: nothing, the output of a task, of several, or of many of one type.
pub trait TaskInputs {
    /// What the task's function is handed.
    type Values;

    /// Returns the tasks whose outputs are needed.
    fn tasks(&self) -> Vec<TaskId>;

    /// Returns the tasks whose end is waited for, and whose outputs are taken only if there are any.
    fn tasks_to_end(&self) -> Vec<TaskId> {
        Vec::new()
    }

    /// Returns how the outputs are fetched when an attempt begins.
    fn reader(&self) -> InputReader<Self::Values>;
}

impl TaskInputs for () {
    type Values = ();

    fn tasks(&self) -> Vec<TaskId> {
        Vec::new()
    }

    fn reader(&self) -> InputReader<()> {
        Box::new(|| Some(()))
    }
}

impl<A: Send + Sync + 'static> TaskInputs for &TaskHandle<A> {
    type Values = Arc<A>;

    fn tasks(&self) -> Vec<TaskId> {
        vec![self.id]
    }

    fn reader(&self) -> InputReader<Self::Values> {
        let slot = Arc::clone(&self.slot);
        Box::new(move || slot.get())
    }
}

impl<A: Send + Sync + 'static> TaskInputs for &[TaskHandle<A>] {
    type Values = Vec<Arc<A>>;

    fn tasks(&self) -> Vec<TaskId> {
        self.iter().map(TaskHandle::id).collect()
    }

    fn reader(&self) -> InputReader<Self::Values> {
        let slots: Vec<_> = self.iter().map(|handle| Arc::clone(&handle.slot)).collect();
        Box::new(move || slots.iter().map(|slot| slot.get()).collect())
    }
}

/// The output of a task if it completes; a task that takes it runs also if it does not.
pub struct IfCompleted<A>(TaskHandle<A>);

impl<A> TaskHandle<A> {
    /// Lets a task do without this one's output: it waits for its end and is handed `None` if that
    /// is another than completion. Its own output is then degraded, unless this task was left out
    /// on purpose.
    pub fn if_completed(&self) -> IfCompleted<A> {
        IfCompleted(self.clone())
    }
}

impl<A> fmt::Debug for IfCompleted<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("IfCompleted").field(&self.0.id.0).finish()
    }
}

impl<A: Send + Sync + 'static> TaskInputs for IfCompleted<A> {
    type Values = Option<Arc<A>>;

    fn tasks(&self) -> Vec<TaskId> {
        Vec::new()
    }

    fn tasks_to_end(&self) -> Vec<TaskId> {
        vec![self.0.id]
    }

    fn reader(&self) -> InputReader<Self::Values> {
        let slot = Arc::clone(&self.0.slot);
        Box::new(move || Some(slot.get()))
    }
}

impl<A: Send + Sync + 'static> TaskInputs for &[IfCompleted<A>] {
    type Values = Vec<Option<Arc<A>>>;

    fn tasks(&self) -> Vec<TaskId> {
        Vec::new()
    }

    fn tasks_to_end(&self) -> Vec<TaskId> {
        self.iter().map(|input| input.0.id).collect()
    }

    fn reader(&self) -> InputReader<Self::Values> {
        let slots: Vec<_> = self.iter().map(|input| Arc::clone(&input.0.slot)).collect();
        Box::new(move || Some(slots.iter().map(|slot| slot.get()).collect()))
    }
}

/// Several inputs in a tuple are read one after another.
macro_rules! tuple_inputs {
    ($($letter:ident $place:tt),+) => {
        impl<$($letter: TaskInputs),+> TaskInputs for ($($letter,)+)
        where
            $($letter::Values: 'static,)+
        {
            type Values = ($($letter::Values,)+);

            fn tasks(&self) -> Vec<TaskId> {
                let mut tasks = Vec::new();
                $(tasks.extend(self.$place.tasks());)+
                tasks
            }

            fn tasks_to_end(&self) -> Vec<TaskId> {
                let mut tasks = Vec::new();
                $(tasks.extend(self.$place.tasks_to_end());)+
                tasks
            }

            fn reader(&self) -> InputReader<Self::Values> {
                let readers = ($(self.$place.reader(),)+);
                Box::new(move || Some(($((readers.$place)()?,)+)))
            }
        }
    };
}

tuple_inputs!(A 0, B 1);
tuple_inputs!(A 0, B 1, C 2);
tuple_inputs!(A 0, B 1, C 2, D 3);
