package dev.weir.contracts.wire;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How a job's lane weighs against the other lanes of the same tenant. A priority is a weight: nothing starves. */
public enum Priority {
    @JsonProperty("high")
    HIGH(4),
    @JsonProperty("normal")
    NORMAL(2),
    @JsonProperty("low")
    LOW(1);

    private final int weight;

    Priority(int weight) {
        this.weight = weight;
    }

    public int weight() {
        return weight;
    }
}
