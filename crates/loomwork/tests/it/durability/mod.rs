//! Durability, proven from outside: the real binary under `kill -9`, on full disks, on stores that
//! are locked, damaged, shared or not to be written.

mod disk;
mod interrupts;
mod kills;
mod locked;
mod processes;
mod ruined;
mod workload;
