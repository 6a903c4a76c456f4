package dev.weir.contracts.wire;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Which of its tenant's lanes a job stands in. A priority is a weight, not an order: nothing starves. */
public enum Priority {
    @JsonProperty("high")
    HIGH,
    @JsonProperty("normal")
    NORMAL,
    @JsonProperty("low")
    LOW
}
