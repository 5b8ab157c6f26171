//! The one integration binary: everything that needs more than one room of the library, or files beside it.

mod policies;
