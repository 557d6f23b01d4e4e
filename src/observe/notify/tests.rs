//! What is sent, to whom, how often, with a clock that stands still.

use super::*;
