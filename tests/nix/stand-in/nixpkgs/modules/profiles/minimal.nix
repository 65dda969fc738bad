# NixOS' own leaves out manuals here.
{ }
