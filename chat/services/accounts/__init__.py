"""Who people are: names, passwords, the devices and browsers that they sign in with."""
