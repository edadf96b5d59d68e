"""The main job: models on their data, node by node and as free runs, both packages beside each other."""
