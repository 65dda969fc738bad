//! What the provisioner serves, by the real servers: nginx, tftpd-hpa and atftpd run in namespaces of their own with the
//! files as they are rendered, at the paths and addresses that these name.

mod addresses;
mod ended;
mod health;
mod kit;
mod nginx;
mod rendered;
mod tftp;
