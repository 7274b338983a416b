//! The system as its users meet it. One binary: it links once.

mod architecture;
