using OrderInventory.Console.Api;

namespace OrderInventory.Console.Tests;

/// <summary>Files that are opened in a spreadsheet.</summary>
public sealed class CsvTests
{
    [Fact]
    public void A_cell_is_quoted_if_needed_and_is_never_a_formula() => Assert.Equal(
        "name,\"a,b\",\"say \"\"no\"\"\"\r\n'=1+1,'\uFF1D1+1,''=1\r\n,,\r\n",
        Csv.Of(["name", "a,b", "say \"no\""], [["=1+1", "\uFF1D1+1", "'=1"], [null, "", null]]));
}
