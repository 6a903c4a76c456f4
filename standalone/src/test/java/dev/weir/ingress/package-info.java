@NullMarked
package dev.weir.ingress;

import org.jspecify.annotations.NullMarked;
