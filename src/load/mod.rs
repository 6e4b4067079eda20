//! Reads inventories and runbooks into the model; finds every problem at once. The only place that knows YAML.
