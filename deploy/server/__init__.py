"""What runs on the instances of deploy/template.yaml."""
