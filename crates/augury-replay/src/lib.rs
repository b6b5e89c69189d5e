//! The laboratory of augury: traces in, miss ratios out.
