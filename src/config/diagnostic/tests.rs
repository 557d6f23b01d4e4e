//! Tests of diagnostic.
