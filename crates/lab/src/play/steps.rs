//! What has been done so far, for the report.

use std::cell::RefCell;
use std::rc::Rc;

/// One line for each step. The trial and its peers write into the same list.
pub(crate) type Steps = Rc<RefCell<Vec<String>>>;
