"""What the pages share: the shell, navigation, the reader's choices, and components that draw one thing each."""
