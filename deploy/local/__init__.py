"""make cloud: the template deployed to a local AWS, with a real Redis, the chat server and the page around it."""
