# NixOS' own makes the ramdisk here.
{ }
