package io.penstock.testjobs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class AirportsByStateTest {
    @Test
    void quotedFieldsAreRead() {
        assertEquals(Arrays.asList("a", "b, \"c\"", "", "d"), AirportsByState.fields("a,\"b, \"\"c\"\"\",,d"));
        assertEquals(Arrays.asList("", ""), AirportsByState.fields(","));
    }
}
