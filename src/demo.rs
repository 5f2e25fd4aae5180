//! A simulated Sequentum platform.
