"""How fast Descent Lab is: each number is compared, in the same run, with something that anyone can rerun."""
