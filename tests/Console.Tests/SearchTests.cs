using OrderInventory.Console.Api;

namespace OrderInventory.Console.Tests;

/// <summary>What a search finds when text is pasted into it.</summary>
public sealed class SearchTests
{
    private const string Id = "0198abcd-1234-7abc-8def-0123456789ab";

    [Theory]
    [InlineData(" " + Id + " ")]
    [InlineData("\u200B" + Id + "\uFEFF")]
    [InlineData("\u20680198abcd-\u200B1234-7abc-8def-0123456789ab\u2069")]
    [InlineData("{" + Id + "}")]
    [InlineData("Order " + Id)]
    [InlineData("Bestellung\u00A0" + Id)]
    [InlineData("https://shop.example.com/console/orders/" + Id + "/revise?q=1#main")]
    public void A_whole_id_is_found_in_what_was_copied_with_it(string pasted) => Assert.Equal(Id, pasted.ToSearch());

    [Theory]
    [InlineData("0198abcd-1234\u2026")]
    [InlineData("0198abcd-1234...")]
    [InlineData("Order 0198abcd-1234")]
    [InlineData("Order 0198abcd-1234\u2026")]
    public void The_beginning_of_an_id_is_found_as_pages_show_it(string pasted) => Assert.Equal("0198abcd-1234", pasted.ToSearch());

    [Theory]
    [InlineData("0198ABCD")]
    [InlineData("C-0198abcd-1234")]
    [InlineData("0198abcd-1234-X")]
    [InlineData("1Z 0198abcd-1234")]
    [InlineData("green tea...")]
    [InlineData("\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645")]
    public void Other_texts_stay_as_they_are(string typed) => Assert.Equal(typed, typed.ToSearch());

    [Fact]
    public void Only_a_search_is_read_this_way_and_an_empty_one_is_left_out()
    {
        Assert.Equal($"orders?q={Id}&status=%7Bnew%7D", Address.Of("orders", ("q", $"Order {Id}"), ("status", " {new} ")));
        Assert.Equal("orders", Address.Of("orders", ("q", "\uFEFF "), ("status", " ")));
    }
}
