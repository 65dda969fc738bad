//! The wipe guard, `profiles/wipe-guard`: its program on machines in directories, the place of the program in disko's
//! scripts, and real disks.

mod boot;
mod evaluated;
mod machine;
mod refuses;
