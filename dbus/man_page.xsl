<?xml version="1.0"?>
<!-- Turns an interface's XML into the part of org.schedd1(5) that lists it: members with their arguments, and the
     comment before each as its description. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output method="text" encoding="UTF-8"/>

  <!-- The comment right before a node, on one line that troff takes as text. -->
  <xsl:template name="description">
    <xsl:variable name="comment"
      select="preceding-sibling::node()[not(self::text()[normalize-space() = ''])][1][self::comment()]"/>
    <xsl:if test="$comment">
      <xsl:text>\&amp;</xsl:text>
      <xsl:value-of select="normalize-space($comment)"/>
      <xsl:text>&#10;</xsl:text>
    </xsl:if>
  </xsl:template>

  <xsl:template name="arguments">
    <xsl:param name="nodes"/>
    <xsl:for-each select="$nodes">
      <xsl:if test="position() > 1">, </xsl:if>
      <xsl:value-of select="concat(@type, ' ', @name)"/>
    </xsl:for-each>
  </xsl:template>

  <xsl:template match="/">
    <xsl:apply-templates select="node/interface"/>
    <xsl:for-each select="node/node">
      <xsl:value-of select="concat('.SS ', @name, ' (', substring-after(interface/@name, 'org.schedd1.'), ')&#10;')"/>
      <xsl:call-template name="description"/>
      <xsl:apply-templates select="interface/property"/>
    </xsl:for-each>
  </xsl:template>

  <xsl:template match="interface">
    <xsl:value-of select="concat('.SH INTERFACE ', @name, '&#10;')"/>
    <xsl:call-template name="description"/>
    <xsl:apply-templates select="method | property | signal"/>
  </xsl:template>

  <xsl:template match="method">
    <xsl:value-of select="concat('.TP&#10;.BR ', @name, ' &quot;(')"/>
    <xsl:call-template name="arguments">
      <xsl:with-param name="nodes" select="arg[not(@direction = 'out')]"/>
    </xsl:call-template>
    <xsl:text>)</xsl:text>
    <xsl:if test="arg[@direction = 'out']">
      <xsl:text> \-> (</xsl:text>
      <xsl:call-template name="arguments">
        <xsl:with-param name="nodes" select="arg[@direction = 'out']"/>
      </xsl:call-template>
      <xsl:text>)</xsl:text>
    </xsl:if>
    <xsl:text>"&#10;</xsl:text>
    <xsl:call-template name="description"/>
  </xsl:template>

  <xsl:template match="signal">
    <xsl:value-of select="concat('.TP&#10;.BR ', @name, ' &quot;(')"/>
    <xsl:call-template name="arguments">
      <xsl:with-param name="nodes" select="arg"/>
    </xsl:call-template>
    <xsl:text>), a signal"&#10;</xsl:text>
    <xsl:call-template name="description"/>
  </xsl:template>

  <xsl:template match="property">
    <xsl:value-of select="concat('.TP&#10;.BR ', @name, ' &quot; ', @type, ', ', @access)"/>
    <xsl:for-each select="annotation[@name = 'org.freedesktop.DBus.Property.EmitsChangedSignal']">
      <xsl:value-of select="concat(', emits ', @value)"/>
    </xsl:for-each>
    <xsl:text>"&#10;</xsl:text>
    <xsl:call-template name="description"/>
  </xsl:template>
</xsl:stylesheet>
